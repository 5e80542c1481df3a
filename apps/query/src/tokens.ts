/** By these the module binds the ports to what the doors ask for. */
export const READ_MODEL = Symbol('ReadModel');
export const SANDBOXES = Symbol('SandboxReader');
export const API_KEYS = Symbol('ApiKeyStore');
export const ACCESS = Symbol('AccessControl');
export const GATEKEEPER = Symbol('HttpGatekeeper');
export const WEBHOOKS = Symbol('WebhookDeliveries');
export const SIGNALS = Symbol('QuerySignals');
