/** The chain could not be started, or a transaction failed on it. */
export class LocalChainError extends Error {
  override readonly name = 'LocalChainError';
}
