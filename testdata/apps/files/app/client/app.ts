import late from './late.css?inline';
import { done, equal } from './check';
import dot from './images/dot.svg';
import logo from './images/logo.svg';
import inlined from './images/logo.svg?inline';
import served from './images/dot.svg?no-inline';
import source from './check.ts?raw';
import script from '../../beside/legacy.js?url';
import note from './note.txt';
import noteText from './note.txt?raw';
import { icon } from '/shared/icons';

const size = (url: string) =>
  new Promise<string>((resolve) => {
    const image = new Image();
    image.onload = () => resolve(`${image.naturalWidth}×${image.naturalHeight}`);
    image.onerror = () => resolve('broken');
    image.src = url;
  });

const text = async (url: string | URL) => (await fetch(url)).text();

export async function init() {
  equal(/^\/assets\/app\/client\/images\/logo-[0-9a-f]{16}\.svg$/.test(logo), true, logo);
  equal(dot.startsWith('data:image/svg+xml;base64,'), true, 'small pictures are written into the code');
  equal(inlined.startsWith('data:image/svg+xml;base64,'), true, '?inline');
  equal(served.startsWith('/assets/app/client/images/dot-'), true, '?no-inline');
  equal(icon, logo, 'one file has one address, also from shared code');
  equal(new URL('./images/logo.svg', import.meta.url).href, new URL(logo, location.href).href, 'new URL');
  equal(await size(logo), '30×20', 'the picture');
  equal(await size(dot), '3×2', 'the picture that is written into the code');
  equal(await size(served), '3×2', 'the picture that is not');
  equal(source.startsWith('let failed'), true, '?raw');
  equal(await text(note), noteText, 'the text');
  equal(noteText.trim(), 'Read me as I am: `${no}` </script>', 'the text, imported');
  equal(late.includes('.late'), true, 'a stylesheet as text');
  equal([...document.styleSheets].some((sheet) => sheet.ownerNode?.textContent?.includes('late')), false, 'not in the page');
  equal((await text(script)).includes('as it is'), true, '?url of a script');
  done();
}
