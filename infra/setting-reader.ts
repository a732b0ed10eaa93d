import * as pulumi from "@pulumi/pulumi";

/** Returns what is wrong with a value, to follow its setting's name in a sentence, or undefined when nothing is. */
type Rule<T> = (value: T) => string | undefined;

/**
 * Reads settings one by one and collects what is wrong with them, so that a person hears of all of it at
 * once. None of its methods throws for a wrong value; {@link throwIfWrong} does, at the end.
 */
export class SettingReader {
  readonly #config: pulumi.Config;
  readonly #problems: string[] = [];

  constructor(config: pulumi.Config) {
    this.#config = config;
  }

  /** Reads a setting that has to be there. */
  readText(name: string, rule: Rule<string>): string {
    const value = this.#config.get(name);
    this.report(name, value === undefined ? "is not set" : rule(value));
    return value ?? "";
  }

  /** Reads a setting that may be missing; empty is missing, since `Pulumi.yaml` can't have a setting without a default. */
  readOptionalText(name: string, rule: Rule<string>): string | undefined {
    const value = this.#config.get(name);
    if (value === undefined || value === "") return undefined;
    this.report(name, rule(value));
    return value;
  }

  /** Reads a secret without making it known to anyone: only `rule` sees it. */
  checkSecret(name: string, rule: Rule<string>): void {
    // The plain value, to check it now: an output's value comes when resources are already on their way.
    const value = pulumi.runtime.getConfig(`${this.#config.name}:${name}`);
    const problem = value === undefined ? "is not set" : rule(value);
    this.report(name, problem, `pulumi config set --secret ${name}`);
  }

  /**
   * Reads a setting that is more than text: a number, a switch, a list, an object.
   *
   * @param rule has to refuse whatever isn't a `T`
   * @param fallback what the setting is when it's missing, or wrong
   * @param fix the command that sets it
   */
  readValue<T>(name: string, rule: Rule<unknown>, fallback: T, fix?: string): T {
    const text = this.#config.get(name);
    if (text === undefined) return fallback;
    const value = parse(text);
    const problem = rule(value);
    this.report(name, problem, fix);
    return problem === undefined ? (value as T) : fallback;
  }

  /** Adds a problem, if there is one, to those that {@link throwIfWrong} will name. */
  report(
    name: string,
    problem: string | undefined,
    fix = `pulumi config set ${name} <value>`,
  ): void {
    if (problem !== undefined) this.#problems.push(`  ${name} ${problem}\n    fix: ${fix}`);
  }

  /** @throws {pulumi.RunError} when settings are wrong: one message that names each of them and the command that sets it */
  throwIfWrong(): void {
    if (this.#problems.length === 0) return;
    throw new pulumi.RunError(
      `Nothing was created: the settings of stack ${pulumi.getStack()} need a correction.\n${this.#problems.join("\n")}`,
    );
  }
}

/** Pulumi hands over anything but text as JSON. What isn't JSON stays text, for a rule to refuse. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
