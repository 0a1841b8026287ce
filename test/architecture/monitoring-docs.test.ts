import { expect } from 'chai';
import { readAnchors } from '../support/documents.ts';
import {
  DASHBOARD,
  readAlerts,
  readExpressions,
  readText,
  RULES,
  RULES_TEST,
} from '../support/monitoring-files.ts';

const PAGE = 'docs/OPERATIONS.md';

describe('architecture/monitoring-docs', () => {
  it('gives every alert a section that says what to do, and has no section without an alert', async () => {
    const alerts = readAlerts(await readText(RULES));
    const page = await readText(PAGE);
    const anchors = readAnchors(page);
    expect(alerts.length).to.be.above(25);
    for (const { name, runbookUrl, severity } of alerts) {
      expect(runbookUrl, name).to.equal(`${PAGE}#${name.toLowerCase()}`);
      expect(anchors, name).to.include(name.toLowerCase());
      expect(['page', 'ticket', 'info'], name).to.include(severity);
    }
    const sections = page.split(/^### (?=Gateway)/m).slice(1);
    expect(sections.map((text) => /^\w+/.exec(text)?.[0])).to.deep.equal(
      alerts.map(({ name }) => name),
    );
    for (const section of sections) {
      for (const part of ['Means', 'Look at', 'Do']) expect(section).to.include(`**${part}.** `);
    }
  });

  it('alerts for budgets at 80 and at 95 percent', async () => {
    const names = readAlerts(await readText(RULES)).map(({ name }) => name);
    expect(names).to.include.members(['GatewayTenantBudget80', 'GatewayTenantBudget95']);
  });

  it('has a case in which each alert fires, beside those in which it must not', async () => {
    const cases = (await readText(RULES_TEST)).split(/^ +- (?=\{? ?eval_time)/m);
    const firing = cases.filter((text) => text.includes('exp_alerts:'));
    const named = firing.map((text) => /alertname: (\w+)/.exec(text)?.[1]);
    const alerts = readAlerts(await readText(RULES)).map(({ name }) => name);
    expect(alerts.filter((name) => !named.includes(name))).to.deep.equal([]);
  });

  it('has a dashboard that asks for its source of data and names none', async () => {
    const text = await readText(DASHBOARD);
    const dashboard = JSON.parse(text) as Readonly<Record<string, unknown>>;
    expect(dashboard['uid']).to.equal('nzgw');
    expect(dashboard['schemaVersion']).to.be.at.least(39);
    expect(JSON.stringify(dashboard['__inputs'])).to.include('DS_PROMETHEUS');
    const sources = [...text.matchAll(/"uid": "([^"]*)"/g)].map(([, uid]) => uid);
    expect(new Set(sources)).to.deep.equal(new Set(['nzgw', '${DS_PROMETHEUS}']));
    expect(readExpressions(text).length).to.be.above(50);
  });

  it('has no two panels with one number or in one place', async () => {
    const { panels } = JSON.parse(await readText(DASHBOARD)) as {
      readonly panels: readonly {
        readonly id: number;
        readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
      }[];
    };
    expect(new Set(panels.map(({ id }) => id)).size).to.equal(panels.length);
    const places = panels.map(({ gridPos: { x, y } }) => `${x} ${y}`);
    expect(new Set(places).size).to.equal(panels.length);
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).to.be.at.most(24);
  });
});
