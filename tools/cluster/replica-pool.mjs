/** The replicas of one app, given out in turn. */
export class ReplicaPool {
  /** @type {{ readonly isServing: boolean, readonly url: string }[]} */
  replicas = [];
  #turn = 0;

  add(replica) {
    this.replicas.push(replica);
  }

  /** The next replica that serves; undefined where none does. */
  next() {
    for (let tried = 0; tried < this.replicas.length; tried++) {
      const replica = this.replicas[this.#turn++ % this.replicas.length];
      if (replica.isServing) return replica;
    }
    return undefined;
  }
}
