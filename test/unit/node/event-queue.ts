/**
 * EventQueue: what is to happen, in the order of its time; what is due at the same time in the order it was told.
 */
export interface QueuedEvent {
  readonly timeUs: number;
  readonly order: number;
  readonly action: () => void;
}

export class EventQueue {
  /** A binary heap: the next event is the first. */
  private readonly heap: QueuedEvent[] = [];
  private order = 0;

  push(timeUs: number, action: () => void): void {
    const { heap } = this;
    const event = { timeUs, order: this.order++, action };
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent] as QueuedEvent)) break;
      heap[at] = heap[parent] as QueuedEvent;
      at = parent;
    }
    heap[at] = event;
  }

  /** Takes the next event that is due by then. */
  popUntil(timeUs: number): QueuedEvent | undefined {
    const { heap } = this;
    const first = heap[0];
    if (first === undefined || first.timeUs > timeUs) return undefined;
    const last = heap.pop() as QueuedEvent;
    if (heap.length > 0) this.sink(last);
    return first;
  }

  private sink(event: QueuedEvent): void {
    const { heap } = this;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as QueuedEvent)) child++;
      if (!isBefore(heap[child] as QueuedEvent, event)) break;
      heap[at] = heap[child] as QueuedEvent;
      at = child;
    }
    heap[at] = event;
  }
}

function isBefore(left: QueuedEvent, right: QueuedEvent): boolean {
  return left.timeUs !== right.timeUs ? left.timeUs < right.timeUs : left.order < right.order;
}
