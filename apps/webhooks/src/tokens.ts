/** By these the module binds what has no class of this app. */
export const GATEKEEPER = Symbol('HttpGatekeeper');
