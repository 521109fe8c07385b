/**
 * ONNX Runtime 1.29 and newer, as published for Linux and macOS, reports sessions, models and errors to its makers and
 * keeps an identifier of the machine in the home folder, unless this is set before a process opens its first session
 * (its docs/Privacy.md). Whoever loads the runtime imports this file. Set in a main thread it holds for all threads of
 * the process; in another thread `process.env` is a copy, so the main thread must have imported it too.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';
