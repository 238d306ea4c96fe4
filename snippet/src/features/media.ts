// Video and audio: started, quarters reached, finished; YouTube's frames are asked by message.
import { listen } from '../core/safe.ts';
import { track } from '../core/track.ts';

export const media = (): void => {
  /** What is to be told next of each source, in percent. */
  const next: Record<string, number> = {};
  const tell = (source: string, film: { currentTime: number; duration: number }): void => {
    for (next[source] ||= 0; next[source]! <= (100 * film.currentTime) / film.duration; next[source]! += 25)
      track('Media', { source, percent: next[source] });
  };
  // A player with enablejsapi=1 reports to whoever says that it listens; a script or picture from there has no window.
  const youtube = /\.youtube(-nocookie)?\.com(\/|$)/;
  const ask = (frame: any): unknown =>
    youtube.test(frame.src) && frame.contentWindow?.postMessage(JSON.stringify({ event: 'listening' }), '*');

  listen(({ target }) => tell(target.currentSrc, target), 'timeupdate');
  document.querySelectorAll('iframe').forEach(ask); // those that loaded before
  // Of what elements load a window hears nothing.
  document.addEventListener('load', ({ target }) => ask(target), true);
  listen(({ origin, data }: MessageEvent) => {
    const film = youtube.test(origin) && JSON.parse(data).info;
    if (film.currentTime) tell(film.videoData?.video_id || origin, film);
  }, 'message');
};
