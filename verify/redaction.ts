/** Shorter pieces of a token say nothing and would match ordinary words. */
const PIECE_LENGTH = 12;

/**
 * The text without the secrets and without any piece of theirs of 12 characters or more: the last guard before output,
 * for services that echo what they were sent.
 */
export function redact(text: string, secrets: Iterable<string>): string {
  let redacted = text;
  for (const secret of secrets) redacted = redactOne(redacted, secret);
  return redacted;
}

function redactOne(text: string, secret: string): string {
  const length = Math.min(PIECE_LENGTH, secret.length);
  const pieces = new Set<string>();
  for (let i = 0; i + length <= secret.length; i++) pieces.add(secret.slice(i, i + length));

  let redacted = "";
  let copied = 0;
  let i = 0;
  while (i + length <= text.length) {
    if (!pieces.has(text.slice(i, i + length))) {
      i += 1;
      continue;
    }
    const start = i;
    let end = i + length;
    for (i += 1; i <= end && i + length <= text.length; i++) {
      if (pieces.has(text.slice(i, i + length))) end = i + length;
    }
    redacted += `${text.slice(copied, start)}[redacted]`;
    copied = end;
    i = end;
  }
  return redacted + text.slice(copied);
}
