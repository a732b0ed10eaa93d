import { type Server, ServerCredentials } from "@grpc/grpc-js";

/**
 * Starts to listen on 127.0.0.1 and a free port.
 *
 * @returns the port
 */
export function listenOnFreePort(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(error);
      else resolve(port);
    });
  });
}
