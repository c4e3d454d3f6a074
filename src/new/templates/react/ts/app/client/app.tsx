import { createRoot } from 'react-dom/client';
import { Counter } from './counter';

// Called once, when the connection is there and the page is loaded.
export function init(): void {
  createRoot(document.getElementById('root')!).render(<Counter title={SS.config.title} />);
}
