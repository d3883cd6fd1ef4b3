import type { ConsoleState } from '../src/console/console-state.ts';
import { badge, show } from './dom.ts';
import { clock } from './format.ts';
import { History } from './history.ts';
import { parseMetrics, Scrape } from './metrics.ts';
import {
  showReadiness,
  showRefusals,
  showStatus,
  showTiles,
  showTools,
  showTrail,
  showUpstreams,
  type View,
} from './panels.ts';
import { showTasks } from './task-panel.ts';

const INTERVAL_MS = 2_000;
/** A server that does not answer at all is shown as such. */
const TIMEOUT_MS = 10_000;

const history = new History();
const pause = document.getElementById('pause');
const problems = document.getElementById('problems');
let shown: View | undefined;

async function ask(path: string): Promise<Response> {
  const response = await fetch(path, { signal: AbortSignal.timeout(TIMEOUT_MS), cache: 'no-store' });
  if (response.status === 401) {
    location.reload();
  }
  if (!response.ok) {
    throw new Error(`answered ${response.status}`);
  }
  return response;
}

async function look(): Promise<void> {
  const [state, metrics] = await Promise.all([
    // The answer of the server that sent this script.
    ask('/console/state').then((response) => response.json() as Promise<ConsoleState>),
    ask('/metrics').then((response) => response.text()),
  ]);
  const scrape = new Scrape(parseMetrics(metrics));
  history.add({ at: state.at, scrape });
  shown = { state, scrape, history };
  draw(shown);
}

function draw(view: View): void {
  showStatus(view);
  showTiles(view);
  showTools(view);
  showTasks(view);
  showRefusals(view);
  showUpstreams(view);
  showReadiness(view);
  showTrail(view, isPressed(problems));
  document.body.classList.remove('stale');
  show('seen', document.createTextNode(`as of ${clock(view.state.at)}`));
}

function isPressed(button: HTMLElement | null): boolean {
  return button?.getAttribute('aria-pressed') === 'true';
}

function toggle(button: HTMLElement | null): void {
  button?.setAttribute('aria-pressed', String(!isPressed(button)));
}

async function follow(): Promise<void> {
  if (!isPressed(pause) && document.visibilityState === 'visible') {
    try {
      await look();
    } catch {
      // What is shown is old; the server is asked again.
      document.body.classList.add('stale');
      document.title = 'No answer';
      show('status', badge('No answer', 'bad'));
    }
  }
  setTimeout(() => void follow(), INTERVAL_MS);
}

pause?.addEventListener('click', () => toggle(pause));
problems?.addEventListener('click', () => {
  toggle(problems);
  if (shown !== undefined) {
    showTrail(shown, isPressed(problems));
  }
});
document.addEventListener('keydown', ({ key, ctrlKey, metaKey, altKey }) => {
  if (key === 'p' && !ctrlKey && !metaKey && !altKey) {
    pause?.click();
  }
});
void follow();
