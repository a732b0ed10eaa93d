import { generate } from "selfsigned";

/** A private key and its certificate, both PEM. The certificate is its own trust anchor. */
export interface ServerCertificate {
  key: string;
  cert: string;
}

/**
 * Makes a self-signed certificate for `https://127.0.0.1` and `https://localhost`, valid for a year.
 * An elliptic-curve key is made in a few milliseconds, where an RSA key takes tens to hundreds.
 */
export async function createCertificate(): Promise<ServerCertificate> {
  const pems = await generate([{ name: "commonName", value: "localhost" }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    extensions: [
      // Clients are given this very certificate as the authority they trust.
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", digitalSignature: true, keyCertSign: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: "localhost" },
          { type: 7, ip: "127.0.0.1" },
        ],
      },
    ],
  });
  return { key: pems.private, cert: pems.cert };
}
