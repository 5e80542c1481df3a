import type { HttpGatekeeper } from '@sluice/engine';
import type { StreamPorts } from '@sluice/event-streams';
import type { SseStreamConfig } from '../config';
import type { SseStreamSignals } from '../signals';

/** What all stream doors need. */
export interface StreamDoorPorts extends StreamPorts {
  readonly gatekeeper: HttpGatekeeper;
  readonly signals: SseStreamSignals;
  readonly config: SseStreamConfig;
}
