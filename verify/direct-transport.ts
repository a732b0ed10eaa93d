import { Agent, request } from "node:http";
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";

/** The code of the error when no connection was made in time. */
export const CONNECT_TIMEOUT_CODE = "ERR_CONNECT_TIMEOUT";

/** IMDS is one hop away: whoever does not take the connection by then, after two repeated packets, is not there. */
export const CONNECT_TIMEOUT_MS = 3_000;

/** Unlike Node's own, an agent made here follows no proxy variable, also not with NODE_USE_ENV_PROXY. */
const DIRECT_AGENT = new Agent({ keepAlive: true });

/**
 * Node's HTTP client as an axios `transport`, for connections that are direct, and made at once or never. Away from
 * Azure, packets to the address of IMDS usually vanish, and the bound of the whole call would be waited for each time.
 */
export const DIRECT_TRANSPORT = {
  request(options: RequestOptions, onResponse: (response: IncomingMessage) => void): ClientRequest {
    const call = request({ ...options, agent: DIRECT_AGENT }, onResponse);
    call.once("socket", (socket) => {
      if (!socket.connecting) return;
      const timer = setTimeout(() => {
        const error = new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`);
        call.destroy(Object.assign(error, { code: CONNECT_TIMEOUT_CODE }));
      }, CONNECT_TIMEOUT_MS);
      const stop = () => {
        clearTimeout(timer);
      };
      socket.once("connect", stop);
      call.once("close", stop);
    });
    return call;
  },
};
