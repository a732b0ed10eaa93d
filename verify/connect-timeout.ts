import { request, type ClientRequest, type IncomingMessage, type RequestOptions } from "node:http";

/** The code of the error when no connection was made in time. */
export const CONNECT_TIMEOUT_CODE = "ERR_CONNECT_TIMEOUT";

/** IMDS is one hop away: whoever does not take the connection by then, after two repeated packets, is not there. */
const CONNECT_TIMEOUT_MS = 3_000;

/**
 * Node's HTTP client, for connections that are made at once or never, as an axios `transport`. Away from Azure, packets
 * to the address of IMDS usually vanish, and the bound of the whole call would be waited for each time.
 */
export const QUICK_CONNECT = {
  request(options: RequestOptions, onResponse: (response: IncomingMessage) => void): ClientRequest {
    const call = request(options, onResponse);
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
