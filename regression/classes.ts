import type { FaultClass } from '../tools/faults/fault-class';
import { clockJumps } from './clock-jumps';
import { deliveryLogLost } from './delivery-log-lost';
import { diskFull } from './disk-full';
import { freezeApps } from './freeze-apps';
import { freezeBrokers } from './freeze-brokers';
import { killApps } from './kill-apps';
import { malformedInput } from './malformed-input';
import { partitions } from './partitions';
import { poisonRecords } from './poison';
import { powerCut } from './power-cut';
import { reconnectStorm } from './reconnect-storm';
import { repeatedDeliveries } from './repeated-deliveries';
import { restartBrokers } from './restart-brokers';
import { rollingRestart } from './rolling-restart';
import { slowConsumers } from './slow-consumers';
import { soak } from './soak';

/** Every class, in the order in which the whole suite is run. */
export const FAULT_CLASSES: readonly FaultClass[] = [
  killApps,
  freezeApps,
  rollingRestart,
  restartBrokers,
  freezeBrokers,
  deliveryLogLost,
  poisonRecords,
  repeatedDeliveries,
  malformedInput,
  slowConsumers,
  reconnectStorm,
  diskFull,
  powerCut,
  clockJumps,
  partitions,
  soak,
];
