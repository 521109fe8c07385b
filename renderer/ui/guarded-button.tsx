import { Button, type ButtonProps, Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';

interface GuardedButtonProps extends ButtonProps {
  /** Why it cannot be pressed; null where it can. */
  readonly refusal: string | null;
  readonly onClick: () => void;
  readonly type?: 'button' | 'submit';
  readonly children: ReactNode;
}

/**
 * A button that says why it is disabled. It stays focusable (`aria-disabled`), so that the reason can be
 * reached by keyboard and by a screen reader too.
 */
export function GuardedButton({
  refusal,
  onClick,
  children,
  type = 'button',
  ...props
}: GuardedButtonProps): ReactNode {
  if (refusal === null) {
    return (
      <Button {...props} type={type} onClick={onClick}>
        {children}
      </Button>
    );
  }
  return (
    <Tooltip label={refusal}>
      <Button {...props} type={type} data-disabled aria-disabled onClick={(event) => event.preventDefault()}>
        {children}
      </Button>
    </Tooltip>
  );
}
