/** A broken answer in place of the next one that matches. */
export interface Fault {
  service: "arm" | "imds";
  /** HTTP method, any casing; any method, when absent. */
  method?: string;
  /** Tested against the request's path, without its query. */
  path: RegExp;
  /** What is sent instead, or "reset": the connection is closed without an answer. */
  answer: { status: number; headers?: Record<string, string>; body?: string | object } | "reset";
}

/** Faults that wait for their request; each breaks one answer. */
export interface Faults {
  add(fault: Fault): void;
  /** Takes out the oldest fault that matches. */
  take(request: { service: Fault["service"]; method: string; path: string }): Fault | undefined;
}

/** An empty queue of faults. */
export function createFaults(): Faults {
  const waiting: Fault[] = [];
  return {
    add(fault) {
      waiting.push(fault);
    },
    take({ service, method, path }) {
      const index = waiting.findIndex(
        (fault) =>
          fault.service === service &&
          (fault.method === undefined || fault.method.toUpperCase() === method) &&
          path.search(fault.path) >= 0,
      );
      return index < 0 ? undefined : waiting.splice(index, 1)[0];
    },
  };
}
