import { createSpotlight } from '@mantine/spotlight';

/** Whether the command palette is open, and which of its lines is marked; and what opens it from elsewhere. */
export const [paletteStore, palette] = createSpotlight();
