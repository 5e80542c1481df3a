/** CIDv0: 46 characters of base58. CIDv1 in base32, the form that hosts and gateways use. */
const CID = '(?:Qm[1-9A-HJ-NP-Za-km-z]{44}|baf[a-z2-7]{20,120})';
/** Behind `ipfs:` a CID may have any base. */
const ANY_CID = `(?:${CID}|[A-Za-z0-9]{40,120})`;
const SCHEME = new RegExp(`^[iI][pP][fF][sS]:/{0,2}(?:ipfs/)?(${ANY_CID})(/[^?#]*)?(?:[?#].*)?$`);
const BARE = new RegExp(`^/?(?:ipfs/)?(${CID})(/[^?#]*)?(?:[?#].*)?$`);
const GATEWAY_PATH = new RegExp(`^/ipfs/(${CID})(/.*)?$`);
const GATEWAY_HOST = new RegExp(`^(${CID})\\.ipfs\\.(.+)$`);

/** Gateways that serve anything: their own copy is no better than that of another one. */
const PUBLIC_GATEWAYS: ReadonlySet<string> = new Set([
  '4everland.io',
  'cf-ipfs.com',
  'cloudflare-ipfs.com',
  'dweb.link',
  'gateway.ipfs.io',
  'gateway.pinata.cloud',
  'ipfs.4everland.io',
  'ipfs.dweb.link',
  'ipfs.infura.io',
  'ipfs.io',
  'ipfs.nftstorage.link',
  'nftstorage.link',
  'w3s.link',
]);

/** Something in IPFS: the same bytes wherever they are read. */
export interface IpfsPath {
  readonly cid: string;
  /** Empty, or from its slash on; encoded as in a URL, and unable to lead anywhere else at the gateway. */
  readonly path: string;
  /** The gateway that the URI names, where it is not a public one: it may be the only place that has the file. */
  readonly ownGateway?: string;
}

/** What a URI names in IPFS: `ipfs://…`, a CID alone, or the URL of a gateway. Undefined for everything else. */
export function ipfsPathOf(uri: string): IpfsPath | undefined {
  const match = SCHEME.exec(uri) ?? BARE.exec(uri);
  if (match !== null) {
    return pathOf(match[1], match[2]);
  }
  return /^https?:/i.test(uri) && URL.canParse(uri) ? pathOfGateway(new URL(uri)) : undefined;
}

/** Where a gateway has it; the CID is put behind the gateway's address. */
export function gatewayUrlOf(ipfs: IpfsPath, gateway: string): string {
  return `${gateway.replace(/\/?$/, '/')}${ipfs.cid}${ipfs.path}`;
}

function pathOfGateway(url: URL): IpfsPath | undefined {
  const byHost = GATEWAY_HOST.exec(url.hostname);
  const byPath = GATEWAY_PATH.exec(url.pathname);
  const found =
    byHost === null ? pathOf(byPath?.[1], byPath?.[2]) : pathOf(byHost[1], url.pathname === '/' ? '' : url.pathname);
  const host = byHost?.[2] ?? url.hostname;
  return found === undefined || PUBLIC_GATEWAYS.has(host) ? found : { ...found, ownGateway: url.href };
}

function pathOf(cid: string | undefined, path = ''): IpfsPath | undefined {
  const encoded = encodePath(path);
  return cid === undefined || encoded === undefined ? undefined : { cid, path: encoded };
}

/** The path as it stands in a URL; undefined for one that climbs, or has a slash within a name: a gateway could be led astray. */
function encodePath(path: string): string | undefined {
  // Unpaired surrogates, which no URL can have, become what stands for them.
  const names = Buffer.from(path).toString().split('/').map(decodeOrKeep);
  return names.some((name) => /^\.{1,2}$|[/\\]/.test(name)) ? undefined : names.map(encodeURIComponent).join('/');
}

function decodeOrKeep(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
