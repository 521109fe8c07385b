import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  Filler,
  Legend,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  ScatterController,
  Tooltip,
} from 'chart.js';
import annotation from 'chartjs-plugin-annotation';
import zoom from 'chartjs-plugin-zoom';
import { useSyncExternalStore } from 'react';
import { DARK, LIGHT, type Tokens } from '../app/tokens.ts';

// Only what is drawn is registered: the chart chunk stays small.
Chart.register(
  LineController,
  LineElement,
  PointElement,
  BarController,
  BarElement,
  ScatterController,
  LinearScale,
  LogarithmicScale,
  CategoryScale,
  Filler,
  Legend,
  Tooltip,
  annotation,
  zoom,
);
Chart.defaults.font.family = "'Inter Variable', system-ui, sans-serif";
Chart.defaults.font.size = 11;
Chart.defaults.animation = false;
Chart.defaults.maintainAspectRatio = false;
Chart.defaults.responsive = true;

function subscribe(onChange: () => void): () => void {
  const observer = new MutationObserver(onChange);
  observer.observe(document.documentElement, {
    attributes: true,
    attributeFilter: ['data-mantine-color-scheme'],
  });
  return () => observer.disconnect();
}

/** Colours of the theme that is on the screen now; a chart redraws when it changes. */
export function useChartTokens(): Tokens {
  const scheme = useSyncExternalStore(subscribe, () =>
    document.documentElement.getAttribute('data-mantine-color-scheme'),
  );
  return scheme === 'dark' ? DARK : LIGHT;
}

/** `#rrggbb` with an alpha of 0..1. */
export function withAlpha(hex: string, alpha: number): string {
  return `${hex}${Math.round(alpha * 255)
    .toString(16)
    .padStart(2, '0')}`;
}

/** The one look of tooltips. */
export function tooltipOf(tokens: Tokens) {
  return {
    backgroundColor: tokens.raised,
    titleColor: tokens.text,
    bodyColor: tokens.text,
    borderColor: tokens.borderStrong,
    borderWidth: 1,
    padding: 8,
    boxWidth: 8,
    boxHeight: 8,
    cornerRadius: 6,
  };
}
