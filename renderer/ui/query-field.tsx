import { CloseButton, Input, Popover, UnstyledButton } from '@mantine/core';
import { IconHelpCircle, IconSearch } from '@tabler/icons-react';
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { complete, completionsAt, type QueryField, type QueryProblem } from './query-completion.ts';
import styles from './query-field.module.css';

interface QueryFieldProps {
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly fields: readonly QueryField[];
  readonly examples: readonly (readonly [string, string])[];
  readonly problem: QueryProblem | null;
  /** Values known by field, where the grammar itself has no list: tags, owners, people. */
  readonly values?: Readonly<Record<string, readonly string[]>>;
}

/**
 * The search box of a room with a search language: completes fields and values, marks what cannot be read and says
 * why, and lists the whole language behind its question mark. Arrow keys choose, Enter or Tab takes, Escape closes,
 * then clears.
 */
export function QueryInput(props: QueryFieldProps): ReactNode {
  const { label, placeholder, value, onChange, fields, examples, problem, values } = props;
  const [caret, setCaret] = useState(0);
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const [scroll, setScroll] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const found = open ? completionsAt(value, caret, fields, values) : { from: 0, items: [] };
  const listed = found.items.length > 0;
  const chosen = Math.min(active, found.items.length - 1);

  const track = (): void => {
    const element = input.current;
    if (element === null) return;
    setCaret(element.selectionStart ?? element.value.length);
    setScroll(element.scrollLeft);
  };
  const take = (at: number): void => {
    const item = found.items[at];
    if (item === undefined) return;
    const next = complete(value, caret, found.from, item.insert);
    // The text is in the box before the next key is: a caret moved later would stand before letters typed meanwhile.
    flushSync(() => {
      onChange(next.text);
      setActive(0);
      setCaret(next.caret);
    });
    input.current?.setSelectionRange(next.caret, next.caret);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      // The dialog or drawer behind stays open.
      event.stopPropagation();
      if (listed) setOpen(false);
      else onChange('');
      return;
    }
    if (!listed) return;
    const moves: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 };
    const move = moves[event.key];
    if (move !== undefined) {
      event.preventDefault();
      setActive((chosen + move + found.items.length) % found.items.length);
    } else if (event.key === 'Enter' || (event.key === 'Tab' && !event.shiftKey)) {
      event.preventDefault();
      take(chosen);
    }
  };

  return (
    <div className={styles.field}>
      <div className={styles.mirror} aria-hidden>
        <span style={{ transform: `translateX(${-scroll}px)` }}>
          {problem === null ? null : (
            <>
              {value.slice(0, problem.start)}
              <mark>{value.slice(problem.start, problem.end) || ' '}</mark>
            </>
          )}
        </span>
      </div>
      {/* Its own words for assistive technology: Mantine's would replace them. */}
      <Input
        withAria={false}
        size="xs"
        ref={input}
        classNames={{ input: styles.input ?? '' }}
        aria-label={label}
        placeholder={placeholder}
        data-page-search
        role="combobox"
        aria-expanded={listed}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={listed ? `${id}-${chosen}` : undefined}
        aria-invalid={problem !== null}
        aria-describedby={problem === null ? undefined : `${id}-problem`}
        value={value}
        onChange={(event) => {
          onChange(event.currentTarget.value);
          setOpen(true);
          setActive(0);
          track();
        }}
        onSelect={track}
        onScroll={track}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
        leftSection={<IconSearch size={14} />}
        rightSectionWidth={value === '' ? 30 : 54}
        rightSection={
          <span style={{ display: 'flex', gap: 2, alignItems: 'center' }}>
            {value === '' ? null : (
              <CloseButton size="xs" aria-label="Empty the search box" onClick={() => onChange('')} />
            )}
            <Help
              fields={fields}
              examples={examples}
              onPick={(example) => {
                onChange(value.trim() === '' ? example : `${value.trim()} ${example}`);
                input.current?.focus();
              }}
            />
          </span>
        }
        spellCheck={false}
        autoComplete="off"
      />
      {listed ? (
        <div className={styles.below} id={`${id}-list`} role="listbox" aria-label="Completions">
          {found.items.map((item, at) => (
            // biome-ignore lint/a11y/useFocusableInteractive: the input keeps the focus and names the active option
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys of the list are the input's
            <div
              key={item.insert}
              id={`${id}-${at}`}
              role="option"
              aria-selected={at === chosen}
              className={styles.option}
              // Before the input loses the focus, which would close the list.
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => take(at)}
              onMouseEnter={() => setActive(at)}
            >
              <span className="mono">{item.insert}</span>
              <span className={styles.meaning}>{item.meaning}</span>
            </div>
          ))}
        </div>
      ) : problem === null ? null : (
        <div className={styles.below} role="status" id={`${id}-problem`}>
          <div className={styles.problem}>
            <div style={{ fontWeight: 500 }}>{problem.message}</div>
            <div className="dim">{problem.hint}</div>
          </div>
        </div>
      )}
    </div>
  );
}

function Help({
  fields,
  examples,
  onPick,
}: {
  readonly fields: readonly QueryField[];
  readonly examples: readonly (readonly [string, string])[];
  readonly onPick: (text: string) => void;
}): ReactNode {
  const [opened, setOpened] = useState(false);
  const rows = [...examples, ...fields.map((field) => [field.example, field.meaning] as const)];
  return (
    <Popover
      position="bottom-end"
      shadow="md"
      width={470}
      trapFocus
      opened={opened}
      onChange={setOpened}
      returnFocus
    >
      <Popover.Target>
        <UnstyledButton
          aria-label="How to search"
          onClick={() => setOpened((was) => !was)}
          style={{ display: 'flex', color: 'var(--sp-dim)', borderRadius: 4 }}
        >
          <IconHelpCircle size={16} />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown p="xs" className={styles.help ?? ''}>
        {rows.map(([example, meaning]) => (
          <button
            key={example}
            type="button"
            className={styles.helpRow}
            onClick={() => {
              setOpened(false);
              onPick(example);
            }}
          >
            <span className="mono">{example}</span>
            <span className="dim">{meaning}</span>
          </button>
        ))}
      </Popover.Dropdown>
    </Popover>
  );
}
