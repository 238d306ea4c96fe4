import { render } from 'svelte/server';
import Site from './Site.svelte';

console.log(render(Site).body);
