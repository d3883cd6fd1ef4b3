export { findService } from './find-service.ts';
export type { ServiceProgram } from './find-service.ts';
export { selfSignedCertificate } from './self-signed-certificate.ts';
export type { Certificate } from './self-signed-certificate.ts';
export { startSlapd } from './slapd.ts';
export type { Slapd, SlapdOptions } from './slapd.ts';
export { startTcpProxy } from './tcp-proxy.ts';
export type { TcpProxy } from './tcp-proxy.ts';
