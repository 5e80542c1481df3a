import { EventEmitter } from 'node:events';
import type { PubSubEventMap } from './types';

type Listener<K extends keyof PubSubEventMap> = (...args: PubSubEventMap[K]) => void;

/** An EventEmitter whose listeners are typed by {@link PubSubEventMap}. */
export class TypedEmitter extends EventEmitter {
  override on<K extends keyof PubSubEventMap>(event: K, listener: Listener<K>): this {
    return super.on(event, listener);
  }

  override once<K extends keyof PubSubEventMap>(event: K, listener: Listener<K>): this {
    return super.once(event, listener);
  }

  override off<K extends keyof PubSubEventMap>(event: K, listener: Listener<K>): this {
    return super.off(event, listener);
  }

  override addListener<K extends keyof PubSubEventMap>(event: K, listener: Listener<K>): this {
    return super.addListener(event, listener);
  }

  override removeListener<K extends keyof PubSubEventMap>(event: K, listener: Listener<K>): this {
    return super.removeListener(event, listener);
  }

  /**
   * Calls the listeners. An 'error' without a listener is not emitted, where Node would end the process. What a listener
   * throws is thrown again outside of the caller, as an uncaught exception, so that the subscription's state stays right.
   */
  protected tell<K extends keyof PubSubEventMap>(event: K, ...args: PubSubEventMap[K]): void {
    if (event === 'error' && this.listenerCount('error') === 0) return;
    try {
      this.emit(event, ...args);
    } catch (thrown) {
      process.nextTick(() => {
        throw thrown;
      });
    }
  }
}
