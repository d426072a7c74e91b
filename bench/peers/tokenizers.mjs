// Measures the npm package @anush008/tokenizers (Hugging Face's tokenizers, native) for TokenizerBench: one command a
// line on standard input, one line of JSON back. Usage: node tokenizers.mjs NPM_FOLDER, where NPM_FOLDER holds
// node_modules/@anush008/tokenizers.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const require = createRequire(join(process.argv[2], 'package.json'));
const tokenizers = require('@anush008/tokenizers');
let documents = [];
let tokenizer = null;

const commands = {
  // A file of documents: one JSON string a line.
  documents: (path) => {
    documents = readFileSync(path, 'utf8').split('\n').filter((line) => line.length > 0)
      .map((line) => JSON.parse(line));
    return documents.length;
  },
  load: (path) => {
    tokenizer = tokenizers.Tokenizer.fromFile(path);
    return tokenizer.getVocabSize();
  },
  // One call after the other: one core.
  encode: async () => {
    let tokens = 0;
    for (const document of documents) {
      const encoding = await tokenizer.encode(document, null, { addSpecialTokens: false });
      tokens += encoding.getLength();
    }
    return tokens;
  },
  // Ids of one text, for comparisons.
  ids: async (path) => (await tokenizer.encode(readFileSync(path, 'utf8'), null, { addSpecialTokens: false })).getIds(),
  // The package's own trainer, with its default of 30,000 tokens, from a file.
  train: (path) => {
    const model = tokenizers.BPE.empty();
    const trained = new tokenizers.Tokenizer(model);
    trained.setPreTokenizer(tokenizers.byteLevelPreTokenizer(false, true));
    trained.train([path]);
    return trained.getVocabSize();
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...rest] = line.split(' ');
  const start = process.hrtime.bigint();
  const result = await commands[name](rest.join(' '));
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  console.log(JSON.stringify({ seconds, result }));
}
