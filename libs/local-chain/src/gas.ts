/** As much as any call here needs, for nothing; with it nothing has to be estimated. */
export const GAS = { gas: '0x3b9aca00', gasPrice: '0x0' } as const;
