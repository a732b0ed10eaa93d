/**
 * Takes the subscription's id out of the id of anything in it.
 *
 * @throws {Error} when the id is of no subscription
 */
export function getSubscriptionId(resourceId: string): string {
  const subscriptionId = /^\/subscriptions\/([^/]+)/i.exec(resourceId)?.[1];
  if (subscriptionId === undefined) {
    throw new Error(`The resource id ${resourceId} names no subscription.`);
  }
  return subscriptionId;
}
