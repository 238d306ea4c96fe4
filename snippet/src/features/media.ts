// Video and audio: started, quarters reached, finished; YouTube's frames are asked by message.
import { listen } from '../core/safe.ts';
import { track } from '../core/track.ts';

export const media = (): void => {
  const told = new Set<string>();
  /** `position` runs from 0 to 1; each quarter of each source is told once. */
  const tell = (source: string, position: number): void => {
    for (let percent = 0; percent <= position * 100; percent += 25)
      if (!told.has(percent + source)) {
        told.add(percent + source);
        track('Media', { source, percent });
      }
  };
  const played = ({ target }: { target: HTMLMediaElement }): void =>
    tell(target.currentSrc, target.currentTime / target.duration);
  for (const type of ['timeupdate', 'ended']) listen(type, played);

  // A player with enablejsapi=1 reports to whoever says that it listens.
  const youtube = /^https:\/\/www\.youtube(-nocookie)?\.com\b/;
  listen(
    'load',
    ({ target }) => youtube.test(target.src) && target.contentWindow.postMessage('{"event":"listening"}', '*'),
  );
  listen('message', ({ origin, data }: MessageEvent) => {
    const { currentTime, duration, videoData } = youtube.test(origin) && JSON.parse(data).info;
    if (currentTime) tell(videoData?.video_id || origin, currentTime / duration);
  });
};
