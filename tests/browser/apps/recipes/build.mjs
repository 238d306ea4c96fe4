// Builds a site as its bundler would: `node build.mjs ENTRY OUT browser|node`. Vue and Svelte bring their compilers.
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';
import { compile } from 'svelte/compiler';
import { compileScript, parse } from 'vue/compiler-sfc';

const [entry, outfile, platform] = process.argv.slice(2);
const server = platform === 'node';

const svelte = (text, filename) => compile(text, { filename, generate: server ? 'server' : 'client' }).js.code;
const vue = (text, filename) =>
  compileScript(parse(text, { filename }).descriptor, {
    id: filename,
    inlineTemplate: true,
    templateOptions: { ssr: server },
  }).content;

const compilers = (filter, compiler) => ({
  name: 'compiler',
  setup: ({ onLoad }) => onLoad({ filter }, ({ path }) => ({ contents: compiler(readFileSync(path, 'utf8'), path) })),
});

await build({
  entryPoints: [entry],
  outfile,
  platform,
  bundle: true,
  format: server ? 'esm' : 'iife',
  jsx: 'automatic',
  minify: !server,
  define: { 'process.env.NODE_ENV': '"production"' },
  packages: server ? 'external' : undefined, // node finds them by itself, by what their packages export
  plugins: [compilers(/\.svelte$/, svelte), compilers(/\.vue$/, vue)],
  logLevel: 'error',
});
