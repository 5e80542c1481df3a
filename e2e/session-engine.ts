export {
  END,
  idle,
  message,
  sendReport,
  SessionEngine,
  type EngineCall,
  type ReportAnswer,
} from '../apps/sessions/test/support/session-engine';
