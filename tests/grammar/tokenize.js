// Prints the tokens of each source in the JSON list on standard input, as VS Code's own tokenizer reads them:
// for each source a list of [text, scopes].
"use strict";
const fs = require("fs");
const path = require("path");
const modules = process.argv[2];
const grammar = process.argv[3];
const { Registry, INITIAL, parseRawGrammar } = require(path.join(modules, "vscode-textmate"));
const oniguruma = require(path.join(modules, "vscode-oniguruma"));

async function main() {
  const wasm = fs.readFileSync(path.join(modules, "vscode-oniguruma", "release", "onig.wasm"));
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
  const registry = new Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => parseRawGrammar(fs.readFileSync(grammar, "utf8"), grammar),
  });
  const loaded = await registry.loadGrammar("source.dispatchfile");
  const tokens = (source) => {
    let stack = INITIAL;
    const found = [];
    for (const line of source.split("\n")) {
      const read = loaded.tokenizeLine(line, stack);
      for (const token of read.tokens) {
        found.push([line.slice(token.startIndex, token.endIndex), token.scopes]);
      }
      stack = read.ruleStack;
    }
    return found;
  };
  const sources = JSON.parse(fs.readFileSync(0, "utf8"));
  process.stdout.write(JSON.stringify(sources.map(tokens)));
}

main();
