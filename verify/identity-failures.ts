import { isGuid, isSameText } from "./checks";
import { CLIENT_ID_TAG, formatVm, type TokenSettings } from "./config";
import { VerifyError, type Asked, type Cause } from "./errors";
import type { HttpAnswer, HttpOutcome } from "./http";
import { getImdsErrorCode, toImdsCameBack, toImdsError } from "./imds-failures";
import type { Instance } from "./instance";

/** Of all documented causes of `invalid_request`, only the unknown identity is left: id and header are always sent. */
export function isIdentityUnknown({ status, json }: HttpAnswer): boolean {
  return status === 400 && getImdsErrorCode(json) === "invalid_request";
}

/**
 * The diagnosis of a token request that did not end with status 200: what is about the identity, or else about IMDS.
 * @param describeVm asked what VM this is when it does not know the identity
 */
export async function toTokenError(
  outcome: HttpOutcome,
  asked: Asked,
  settings: TokenSettings,
  describeVm: () => Promise<Instance | undefined>,
): Promise<VerifyError> {
  if (outcome.kind === "failure") return toImdsError(outcome, asked, settings);
  if (isIdentityUnknown(outcome)) {
    return toUnknownIdentityError(outcome, asked, settings, await describeVm());
  }
  if (outcome.status === 400 && getImdsErrorCode(outcome.json) === "invalid_resource") {
    return new VerifyError("AUDIENCE_UNKNOWN", {
      message: `The identity's tenant does not know the audience ${settings.armEndpoint}/.`,
      hint: "The ARM endpoint is another cloud's, or misspelled. Check --arm-endpoint.",
      commands: ["az cloud show --query endpoints.resourceManager"],
      asked,
      cameBack: toImdsCameBack(outcome),
    });
  }
  return toImdsError(outcome, asked, settings);
}

function toUnknownIdentityError(
  outcome: HttpAnswer,
  asked: Asked,
  { clientId }: TokenSettings,
  instance: Instance | undefined,
): VerifyError {
  const cameBack = toImdsCameBack(outcome);
  const tag = instance?.tags[CLIENT_ID_TAG] ?? "";
  if (isGuid(tag) && !isSameText(tag, clientId)) {
    return new VerifyError("CLIENT_ID_OUTDATED", {
      message: `IMDS finds no identity with client id ${clientId} on this VM.`,
      hint:
        `Its tag ${CLIENT_ID_TAG} names another one, ${tag}: an identity that is created anew gets a new client id. ` +
        "Ask for that one, or leave the client id out.",
      commands: [`az vm identity show ${formatVm(instance)}`],
      asked,
      cameBack,
    });
  }
  const vm = formatVm(instance);
  const causes: Cause[] = [
    {
      code: "IDENTITY_NEVER_ATTACHED",
      meaning: "The identity was never attached to this VM, or was detached: attach it.",
      commands: [
        `az vm identity show ${vm}`,
        `az vm identity assign ${vm} --identities "<identity's resource id>"`,
      ],
    },
    {
      code: "IDENTITY_RECREATED",
      meaning:
        "The identity was deleted and created anew: it has a new client id, and has to be attached and given its role again.",
      commands: ["az identity list --output table", "pulumi up"],
    },
    {
      code: "REQUEST_CHANGED",
      meaning:
        "Something on the way took the client id or the Metadata header out of the request, if that is what IMDS says " +
        "above: it then complains of several identities, or of the header.",
      commands: [],
    },
  ];
  return new VerifyError("IDENTITY_NOT_ATTACHED", {
    message: `IMDS finds no identity with client id ${clientId} on this VM.`,
    hint: "Compare the client id with those of the VM's identities.",
    causes,
    asked,
    cameBack,
  });
}
