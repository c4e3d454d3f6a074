self.onmessage = ({ data }: MessageEvent) => self.postMessage(data * 2);
