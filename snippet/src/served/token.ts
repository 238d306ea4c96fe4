// The token that the collector puts into the file when it serves it: part of the address that events go to. It comes
// after delivery has named its copy in storage by that address, so pages of another hour still take the copy over.
import { config } from '../core/config.ts';

declare let endpoint: string; // of served/config.ts

endpoint += '?k=' + config.token;
