import { Component, type ReactNode } from 'react';
import { Problem } from '../ui/problem.tsx';

interface State {
  readonly error: unknown;
}

/** Catches what a page throws while drawing, so that the rest of the window stays usable. `reset` = a new page. */
export class ErrorBoundary extends Component<
  { readonly children: ReactNode; readonly reset?: string },
  State
> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override componentDidUpdate(former: { readonly reset?: string }): void {
    if (former.reset !== this.props.reset && this.state.error !== null) this.setState({ error: null });
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return (
      <div style={{ padding: 24, maxWidth: 720 }}>
        <Problem error={this.state.error} onRetry={() => this.setState({ error: null })} />
      </div>
    );
  }
}
