import {
  ActionIcon,
  Badge,
  Button,
  Checkbox,
  type CSSVariablesResolver,
  createTheme,
  Drawer,
  Loader,
  localStorageColorSchemeManager,
  Menu,
  Modal,
  Notification,
  NumberInput,
  PasswordInput,
  SegmentedControl,
  Select,
  TagsInput,
  Textarea,
  TextInput,
  Tooltip,
} from '@mantine/core';
import { MarkedOption } from '../ui/marked-option.tsx';
import { DARK, LIGHT, variablesOf } from './tokens.ts';

/** The same key is read by appearance.js before the first paint. */
export const schemeManager = localStorageColorSchemeManager({ key: 'sallyport-appearance' });

const field = { defaultProps: { size: 'xs' } };

export const theme = createTheme({
  primaryColor: 'iris',
  primaryShade: { light: 6, dark: 6 },
  colors: {
    iris: [
      '#eef1fe',
      '#dce2fc',
      '#b8c4f8',
      '#92a5f4',
      '#7089f1',
      '#5a75ee',
      '#3d5bd9',
      '#334ebf',
      '#2a41a2',
      '#213483',
    ],
    dark: [
      '#e7e9ee',
      '#c4cad4',
      '#9ba4b3',
      '#78818f',
      '#2b313b',
      '#232831',
      '#1a1e26',
      '#14171d',
      '#101318',
      '#0d0f13',
    ],
    gray: [
      '#f6f7f9',
      '#f0f2f5',
      '#e2e5ea',
      '#d3d8df',
      '#c1c7d0',
      '#8a93a2',
      '#5a6373',
      '#4d5665',
      '#2e3540',
      '#15181e',
    ],
  },
  black: '#15181e',
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'JetBrains Mono Variable', ui-monospace, monospace",
  fontSizes: { xs: '0.78125rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  lineHeights: { xs: '1.4', sm: '1.45', md: '1.5', lg: '1.5', xl: '1.35' },
  spacing: { xs: '0.5rem', sm: '0.75rem', md: '1rem', lg: '1.25rem', xl: '1.75rem' },
  headings: { fontWeight: '600' },
  defaultRadius: 6,
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: 'subtle', color: 'gray', size: 26 } }),
    Badge: Badge.extend({ defaultProps: { radius: 4, tt: 'none', fw: 500 } }),
    Button: Button.extend({ defaultProps: { size: 'xs', fw: 500 } }),
    Checkbox: Checkbox.extend(field),
    Drawer: Drawer.extend({
      defaultProps: {
        closeButtonProps: { 'aria-label': 'Close' },
        position: 'right',
        overlayProps: { backgroundOpacity: 0.35 },
      },
    }),
    Loader: Loader.extend({ defaultProps: { type: 'oval' } }),
    // A placeholder that takes the focus is no menu item, and a menu may hold nothing else.
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false } }),
    Modal: Modal.extend({
      defaultProps: {
        closeButtonProps: { 'aria-label': 'Close' },
        centered: true,
        radius: 8,
        overlayProps: { backgroundOpacity: 0.45 },
        transitionProps: { transition: 'fade', duration: 120 },
      },
    }),
    Notification: Notification.extend({
      defaultProps: { closeButtonProps: { 'aria-label': 'Close the message' } },
    }),
    NumberInput: NumberInput.extend(field),
    PasswordInput: PasswordInput.extend(field),
    SegmentedControl: SegmentedControl.extend(field),
    Select: Select.extend({
      defaultProps: {
        size: 'xs',
        checkIconPosition: 'right',
        comboboxProps: { shadow: 'md', transitionProps: { duration: 80 } },
        inputContainer: (input) => <MarkedOption>{input}</MarkedOption>,
      },
    }),
    TagsInput: TagsInput.extend(field),
    Textarea: Textarea.extend(field),
    TextInput: TextInput.extend(field),
    Tooltip: Tooltip.extend({
      defaultProps: {
        openDelay: 250,
        multiline: true,
        maw: 340,
        withArrow: false,
        events: { hover: true, focus: true, touch: false },
      },
    }),
  },
});

/** Our tokens as CSS variables, and Mantine's own surfaces tied to them, so that both themes come from one table. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    ...variablesOf(LIGHT),
    '--mantine-color-body': LIGHT.surface,
    '--mantine-color-text': LIGHT.text,
    '--mantine-color-dimmed': LIGHT.dim,
    '--mantine-color-default-border': LIGHT.borderStrong,
    '--mantine-color-anchor': LIGHT.accentText,
    '--mantine-color-error': LIGHT.bad,
    '--mantine-color-placeholder': '#697282',
  },
  dark: {
    ...variablesOf(DARK),
    '--mantine-color-body': DARK.surface,
    '--mantine-color-text': DARK.text,
    '--mantine-color-dimmed': DARK.dim,
    '--mantine-color-default-border': DARK.borderStrong,
    '--mantine-color-anchor': DARK.accentText,
    '--mantine-color-error': DARK.bad,
    '--mantine-color-placeholder': '#808998',
  },
});
