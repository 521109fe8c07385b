import { type MantineColorScheme, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';

/** The theme on the screen, the choice behind it, and the ways to change it. The choice is remembered. */
export function useAppearance(): {
  readonly scheme: 'light' | 'dark';
  readonly choice: MantineColorScheme;
  readonly choose: (choice: MantineColorScheme) => void;
  readonly toggle: () => void;
} {
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const scheme = useComputedColorScheme('light', { getInitialValueInEffect: false });
  return {
    scheme,
    choice: colorScheme,
    choose: setColorScheme,
    toggle: () => setColorScheme(scheme === 'dark' ? 'light' : 'dark'),
  };
}
