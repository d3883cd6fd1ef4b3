/** How a request was sent: what a proof of possession is checked against. */
export interface PresentedRequest {
  /** The HTTP method, in upper case. */
  readonly method: string;
  /** The URL that the client called, as it spells it: this server's public URL. */
  readonly url: string;
  /** The value of the DPoP header. Two headers are no proof, joined by a comma or not. */
  readonly dpop?: string | undefined;
  /** The client's TLS certificate in DER, from the socket or from a proxy that is trusted with it. */
  readonly certificate?: Uint8Array | undefined;
  /** The address of the client, which strangers share places by. @default not known */
  readonly address?: string | undefined;
}
