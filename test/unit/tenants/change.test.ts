import { expect } from 'chai';
import { toChange, toColumns, toLimitColumns } from '../../../lib/tenants/change.ts';

const TARGET = {
  table: 'tenants',
  limitsTable: 'tenant_limits',
  limitsKey: 'tenant_id',
  id: 'the id',
} as const;

describe('tenants/change', () => {
  it('is no statement where nothing was named', () => {
    expect(toChange(TARGET, toColumns({ name: undefined }), toLimitColumns({}))).to.equal(
      undefined,
    );
  });

  it('sets null, which means "no limit", and leaves out what is undefined', () => {
    const change = toChange(TARGET, [], toLimitColumns({ concurrency: null }));
    expect(change?.text).to.include('concurrency').and.not.include('budget_tokens');
    expect(change?.values).to.deep.equal(['the id', null]);
  });

  it('never writes a value into the text of the statement', () => {
    const change = toChange(TARGET, toColumns({ name: "x'; drop" }), []);
    expect(change?.text).to.include('name = $2').and.not.include('drop');
  });
});
