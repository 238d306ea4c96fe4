import { renderToString } from 'react-dom/server';
import { App } from './recipe';

console.log(renderToString(<App />));
