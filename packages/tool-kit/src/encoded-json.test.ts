import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { encodeJson, resultText, traceable } from './encoded-json.ts';
import type { JsonObject } from './json.ts';

const objects = fc.dictionary(fc.string(), fc.jsonValue()) as fc.Arbitrary<JsonObject>;

describe('resultText', () => {
  it('says what JSON.stringify says of whatever was added', () => {
    fc.assert(
      fc.property(objects, objects, (result, added) => {
        encodeJson(result);
        const sent = { ...traceable(result), ...added };
        return resultText(sent).length === JSON.stringify(sent).length;
      }),
    );
    const result = { a: 1 };
    encodeJson(result);
    expect(JSON.parse(resultText({ ...traceable(result), b: 2 }))).toEqual({ a: 1, b: 2 });
    expect(JSON.parse(resultText({ ...traceable(result), a: 2 }))).toEqual({ a: 2 });
  });

  it('does not encode again what has been encoded', () => {
    let asked = 0;
    const result = {
      get text() {
        asked += 1;
        return 'hi';
      },
    };
    encodeJson(result);
    const before = asked;
    expect(resultText(result)).toBe('{"text":"hi"}');
    expect(asked).toBe(before);
  });

  it('encodes what has not been', () => {
    expect(resultText({ a: 1 })).toBe('{"a":1}');
  });
});
