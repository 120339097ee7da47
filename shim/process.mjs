// Runs one program and stands between it and the runner's signals.

import { spawn } from 'node:child_process';
import os from 'node:os';

// SIGBREAK is Ctrl-Break, which a Windows runner sends some seconds after Ctrl-C. Other systems have none.
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'];

// A signal ended the run while something other than go-prefetch itself was at work.
export class Stopped extends Error {
  constructor(status) {
    super(`stopped with status ${status}`);
    this.status = status;
  }
}

// Resolves to the exit status, as a shell would give it (128 + n after signal n), and to the signal we were sent meanwhile.
// Each kind of signal is passed on once; we wait for the program to clean up. On Windows nothing is passed on: the console
// has told the program already, and kill() would end it without a word.
export function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', ...options });
    const received = new Set();
    const passOn = (signal) => {
      if (process.platform !== 'win32' && !received.has(signal)) child.kill(signal);
      received.add(signal);
    };
    const stopListening = () => SIGNALS.forEach((signal) => process.off(signal, passOn));
    SIGNALS.forEach((signal) => process.on(signal, passOn));
    child.once('error', (error) => {
      stopListening();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      stopListening();
      resolve({ status: code ?? 128 + os.constants.signals[signal], stoppedBy: [...received][0] });
    });
  });
}
