export type Caller = 'reader' | 'writer' | 'admin' | 'operator' | 'foreign' | 'sandbox' | 'otherSandbox' | 'stream';
export type Outcome = 'in' | 401 | 403;

export interface Right {
  readonly text: string;
  readonly outcomes: Readonly<Record<Caller, Outcome>>;
}

export declare const CALLERS: Readonly<Record<Caller, string>>;
export declare const RIGHTS: Readonly<Record<string, Right>>;
export declare const OPERATIONS: Readonly<Record<string, readonly string[]>>;
export declare const rightOf: ReadonlyMap<string, string>;
export declare function accessPage(): string;
