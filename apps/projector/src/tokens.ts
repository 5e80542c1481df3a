/** By these the module binds the ports to what the doors ask for. */
export const GATEKEEPER = Symbol('HttpGatekeeper');
