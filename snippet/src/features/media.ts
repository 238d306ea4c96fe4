// Video and audio: started, quarters reached, finished; YouTube's frames are asked by message.
import { listen } from '../core/safe.ts';
import { track } from '../core/track.ts';

export const media = (): void => {
  /** What is to be told next of each source, in percent. */
  const next: Record<string, number> = {};
  const tell = (source: string, position: number): void => {
    for (next[source] ||= 0; next[source]! <= position * 100; next[source]! += 25)
      track('Media', { source, percent: next[source] });
  };
  listen(({ target }) => tell(target.currentSrc, target.currentTime / target.duration), 'timeupdate');

  // A player with enablejsapi=1 reports to whoever says that it listens.
  const youtube = /\/\/www\.youtube(-nocookie)?\.com(\/|$)/;
  const ask = (frame: any): unknown =>
    youtube.test(frame.src) && frame.contentWindow.postMessage('{"event":"listening"}', '*');
  document.querySelectorAll('iframe').forEach(ask); // those that loaded before
  // Of what elements load a window hears nothing.
  document.addEventListener('load', ({ target }) => ask(target), true);
  listen(({ origin, data }: MessageEvent) => {
    const { currentTime, duration, videoData } = youtube.test(origin) && JSON.parse(data).info;
    if (currentTime) tell(videoData?.video_id || origin, currentTime / duration);
  }, 'message');
};
