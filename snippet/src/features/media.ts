// Video and audio: started, quarters reached, finished; YouTube's frames are asked by message.
import { listen } from '../core/safe.ts';
import { track } from '../core/track.ts';

export const media = (): void => {
  const told = new Map<unknown, Set<string>>();
  const tell = (player: unknown, what: string, source: string, seconds: number): void => {
    const said = told.get(player) || new Set<string>();
    told.set(player, said);
    if (!said.has(what)) track('Media ' + what, { source: source.split('?')[0], seconds: Math.round(seconds) });
    said.add(what);
  };
  const progress = (player: unknown, source: string, time: number, duration: number): void => {
    for (const quarter of [25, 50, 75]) if (time / duration >= quarter / 100) tell(player, quarter + '%', source, time);
  };
  for (const [type, what] of [['play', 'Started'], ['ended', 'Finished'], ['timeupdate', '']] as const)
    listen(type, ({ target }: { target: HTMLMediaElement }) => {
      const { currentSrc, currentTime, duration } = target;
      if (what) tell(target, what, currentSrc, currentTime);
      else progress(target, currentSrc, currentTime, duration);
    });

  // A player with enablejsapi=1 reports to whoever says that it listens.
  const youtube = /^https:\/\/www\.youtube(-nocookie)?\.com$/;
  const greet = (frame: HTMLIFrameElement): void =>
    frame.contentWindow?.postMessage('{"event":"listening"}', new URL(frame.src).origin);
  listen('load', ({ target }) => /^https:\/\/www\.youtube(-nocookie)?\.com\//.test(target.src) && greet(target));
  listen('message', ({ origin, source, data }: MessageEvent) => {
    if (!youtube.test(origin)) return;
    const { info = {} } = JSON.parse(data);
    const frame = [...document.querySelectorAll('iframe')].find(({ contentWindow }) => contentWindow === source);
    const say = (what: string): void => tell(source, what, frame!.src, info.currentTime || 0);
    if (info.playerState === 1) say('Started');
    if (info.playerState === 0) say('Finished');
    if (info.currentTime && info.duration) progress(source, frame!.src, info.currentTime, info.duration);
  });
};
