import { SluiceError } from '@sluice/event-log';
import { defineSettings, setting, type NamedFile, type SettingsOf, type TlsConfig } from '@sluice/service-runtime';

/** TLS of the ports of a process. */
export const tlsSettings = defineSettings({
  SLUICE_TLS_CERT_FILE: {
    schema: setting.text().optional(),
    description:
      'Certificate chain (PEM) of the ports. With the key: HTTP, and the pub/sub port unless it has its own, speak TLS (1.2 or newer) and nothing else.',
  },
  SLUICE_TLS_KEY_FILE: {
    schema: setting.text().optional(),
    description: 'Private key (PEM, without a passphrase) of the certificate.',
  },
  SLUICE_TLS_CLIENT_CA_FILE: {
    schema: setting.text().optional(),
    description: 'Authorities (PEM) of clients: only who has a certificate of one of them can connect then.',
  },
  SLUICE_TLS_RELOAD_INTERVAL: {
    schema: setting.durationMs({ min: 10, max: 86_400_000 }),
    default: '30s',
    description: 'How often the files are looked at; a renewed certificate is presented to new connections.',
  },
});

/**
 * Two files that are needed together, and one that may be there as well, under the names of their settings.
 * @throws SluiceError `configuration` when one is named without those that it needs
 */
export function toTlsConfig<Name extends string>(
  settings: Readonly<Partial<Record<Name, string | undefined>>>,
  names: { readonly certificate: Name; readonly key: Name; readonly clientAuthorities: Name },
  reloadIntervalMs: number,
): TlsConfig | undefined {
  const named = (name: Name): NamedFile | undefined => {
    const path = settings[name];
    return path === undefined ? undefined : { path, setting: name };
  };
  const certificate = named(names.certificate);
  const key = named(names.key);
  const clientAuthorities = named(names.clientAuthorities);
  if (certificate && key) {
    return { files: { certificate, key, ...(clientAuthorities && { clientAuthorities }) }, reloadIntervalMs };
  }
  if (certificate === undefined && key === undefined && clientAuthorities === undefined) return undefined;
  throw new SluiceError('configuration', `${names.certificate} and ${names.key} are needed together`);
}

/** TLS of HTTP. @throws SluiceError `configuration` */
export function toHttpTls(settings: SettingsOf<typeof tlsSettings>): TlsConfig | undefined {
  return toTlsConfig(
    settings,
    {
      certificate: 'SLUICE_TLS_CERT_FILE',
      key: 'SLUICE_TLS_KEY_FILE',
      clientAuthorities: 'SLUICE_TLS_CLIENT_CA_FILE',
    },
    settings.SLUICE_TLS_RELOAD_INTERVAL,
  );
}
