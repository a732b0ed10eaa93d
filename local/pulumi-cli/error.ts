/**
 * The Pulumi CLI could not be had, or a program could not be run with it. `message` says what was tried and what
 * failed, `hint` what the reader can do about it.
 */
export class PulumiCliError extends Error {
  /** The next step, as a sentence. */
  readonly hint: string;

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "PulumiCliError";
    this.hint = hint;
  }
}
