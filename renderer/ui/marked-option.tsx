import { useComboboxContext } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';

/**
 * Stands around the input of a select: each key finds the option that is seen to be marked. Mantine keeps its place as
 * a number beside the mark. A timer that starts as the list opens sets the number anew, so that an arrow pressed before
 * it ran marked an option which Enter then did not take; and an answer that comes late puts another option at the place.
 */
export function MarkedOption({ children }: { readonly children: ReactNode }): ReactNode {
  const { targetRef, updateSelectedOptionIndex } = useComboboxContext().store;
  useEffect(() => {
    const input = targetRef.current;
    const follow = (): void => {
      // Named only while the list is open.
      const list = document.getElementById(input?.getAttribute('aria-controls') ?? '');
      const options = [...(list?.querySelectorAll('[data-combobox-option]') ?? [])];
      const index = options.findIndex((option) => option.hasAttribute('data-combobox-selected'));
      if (index !== -1) updateSelectedOptionIndex(index);
    };
    // On the element itself: before React hands the key to the select.
    input?.addEventListener('keydown', follow);
    return () => input?.removeEventListener('keydown', follow);
  }, [targetRef, updateSelectedOptionIndex]);
  return children;
}
