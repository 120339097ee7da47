// What the runner gives us and what it reads from us: inputs, annotations, outputs, the environment.

import fs from 'node:fs';

// src/go_prefetch/base/child_environment.py has the same table, and a test compares the two.
const NOT_FOR_CHILDREN = /^(ACTIONS_RUNTIME_|ACTIONS_RESULTS_URL|ACTIONS_CACHE_URL|ACTIONS_ID_TOKEN_|INPUT_|GO_PREFETCH_)/i;

export function input(name) {
  return (process.env[`INPUT_${name.toUpperCase()}`] ?? '').trim();
}

export function workspace() {
  return process.env.GITHUB_WORKSPACE || process.cwd();
}

export function annotate(level, message) {
  const escaped = message.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  console.log(`::${level} title=go-prefetch::${escaped}`);
}

export function setOutputs(outputs) {
  if (!process.env.GITHUB_OUTPUT) return;
  const lines = Object.entries(outputs).map(([name, value]) => `${name}=${value}\n`);
  fs.appendFileSync(process.env.GITHUB_OUTPUT, lines.join(''));
}

// The state of the action: what main.mjs hands to post.mjs, and to no other step.
export const STATE_FILE = 'build_cache_state';

export function saveState(name, value) {
  if (process.env.GITHUB_STATE) fs.appendFileSync(process.env.GITHUB_STATE, `${name}=${value}\n`);
}

export function state(name) {
  return process.env[`STATE_${name}`] ?? '';
}

// The job summary: a first line, and a list below it. The job goes on if it cannot be written.
export function summarize(headline, ...items) {
  const file = process.env.GITHUB_STEP_SUMMARY;
  if (!file || input('summary').toLowerCase() === 'false') return;
  try {
    fs.appendFileSync(file, `${[headline, '', ...items].join('\n')}\n\n`);
  } catch (error) {
    console.log(`go-prefetch: the job summary could not be written (${error.code})`);
  }
}

// Untrusted text in Markdown: code on one line, without control characters. GitHub looks for no names or links in code.
export function asCode(text) {
  return `\`${text.replace(/[\s\p{C}]+/gu, ' ').replaceAll('`', "'").trim().slice(0, 1000)}\``;
}

// For pip and go, which have no business with the cache service, an identity token or our inputs.
export function environmentWithoutTokens() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !NOT_FOR_CHILDREN.test(name)));
}
