// Waits, apart from the page, until whatever draws has done what it was given, and says so.
const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
for (let i = 0; gl && i < 2; i += 1) gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
postMessage(null);
