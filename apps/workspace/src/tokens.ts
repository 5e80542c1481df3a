/** By this the module binds the gatekeeper, which has no class of this app. */
export const GATEKEEPER = Symbol('HttpGatekeeper');
